"""Numbers, names and durations as text, for tables, screens, figures and pages alike."""


def display_name(name: str) -> str:
    """A name of the vocabulary as people write it."""
    return name.replace("_", " ")


def format_signed(value: float, form: str) -> str:
    """A number with its sign as printers set it (a true minus); what comes to zero is 0."""
    text = format(value, "+" + form)
    return text.replace("-", "\u2212") if float(text) else "0"


def format_duration(seconds: float) -> str:
    """Minutes and seconds, 4:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def format_r(value: float, digits: int = 2) -> str:
    """.83, as printers set a correlation; a true minus."""
    text = f"{abs(value):.{digits}f}"
    text = text[1:] if text.startswith("0") else text
    return ("\u2212" if round(value, digits) < 0 else "") + text
