"""Files of the repository that the program reads: in the package of a wheel, at their own place in a checkout."""

from importlib.resources import files
from pathlib import Path


def shipped(package: str, folder: str, name: str) -> bytes:
    """The file `name`, which a wheel has in `package` and a checkout in `folder`.

    Each pair stands in pyproject.toml (`force-include`). Raises `FileNotFoundError` where neither is.
    """
    packaged = files(package) / name
    if packaged.is_file():
        return packaged.read_bytes()
    # A checkout: src/ledgerbee/app/shipped.py.
    return (Path(__file__).parents[3] / folder / name).read_bytes()
