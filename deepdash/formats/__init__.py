"""How dates are written where a page does not say so itself, as in the administration."""
