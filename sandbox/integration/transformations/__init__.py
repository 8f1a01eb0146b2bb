"""Transformations of a value on its way in or out: what a step says, how it is checked, typed and carried out."""
