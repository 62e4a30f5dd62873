"""What makes an evaluation worthless, seen in the rows alone: each warns, none refuses.

Every rule asks what chance, or an ordinary table, would bring about; `docs/data-warnings.md` has them for a person.
"""
