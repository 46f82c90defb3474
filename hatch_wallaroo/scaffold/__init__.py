"""New model repositories: one generator, which the template of `hatch new` and the command `new` both call."""
