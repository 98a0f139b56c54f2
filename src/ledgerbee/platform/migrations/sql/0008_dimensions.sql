-- What entries are tagged with: dimensions, trees of values, and the projects that stand on them.
SELECT;
