"""How each kind of fact changes the trading state, by what it is about. ``engine.state.apply`` is who calls."""
