"""How an HTTP operation is declared, guarded, answered and documented."""
