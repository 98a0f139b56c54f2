"""`ledgerbee demo`: the main job on real input, over HTTP as any caller would do it."""
