"""Control over what must stay: the photograph's colors, and which style goes where (lesson 11)."""
