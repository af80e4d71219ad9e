"""Texts from outside, made fit to be printed: no tag and no report may forge a line or move a cursor."""


def printable(text: str) -> str:
    r"""Spell every control, format and unassigned character as `\u202e`."""
    return text if text.isprintable() else "".join(map(spelled, text))


def spelled(character: str) -> str:
    """Spell a character."""
    return character if character.isprintable() else f"\\u{ord(character):04x}"
