"""Changes of what writer.py is about to write."""


def changing(**values):
    """A change that sets fields; a function is given the field's value and returns another."""

    def change(fields):
        for name, value in values.items():
            setattr(fields, name, value(getattr(fields, name)) if callable(value) else value)
        return fields

    return change


def only(number, change):
    """A change that is made at the n-th time only, counted from 1."""
    count = 0

    def counted(value):
        nonlocal count
        count += 1
        return change(value) if count == number else value

    return counted


def sub(old, new, count=1):
    """A change of bytes that replaces one run of them."""

    def change(data):
        assert old in data
        return data.replace(old, new, count)

    return change
