"""Where the model files are: beside the package in a checkout, inside it once installed."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_PLACES = (_PACKAGE / "models", _PACKAGE.parent.parent / "settings")


def model_text(service: str) -> str:
    """The model file of a service: every key, its default, and what it does."""
    for place in _PLACES:
        path = place / f"{service}.model.toml"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"{service}.model.toml")


def explanations(service: str) -> dict[str, str]:
    """What the model file says above each key, by dotted key."""
    found: dict[str, str] = {}
    section, said, is_said = "", [""], False
    for line in model_text(service).splitlines():
        key, equals, _ = line.partition(" = ")
        if line.startswith("#"):
            if is_said:  # the key above ends what was said of it; keys right below one another share it
                said, is_said = [], False
            said.append(line.removeprefix("#").strip())
        elif line.startswith("["):
            section, said = f"{line.strip('[]')}.", []
        elif equals:
            found[section + key] = " ".join(said).strip()
            is_said = True
        else:
            said = []
    return found
