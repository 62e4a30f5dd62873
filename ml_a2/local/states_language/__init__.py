"""The rules of the Amazon States Language, as CreateStateMachine enforces them.

What this endpoint does not execute, though the language has it, is refused elsewhere, by name.
"""
