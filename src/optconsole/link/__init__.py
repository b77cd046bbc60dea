"""How a console reaches an engine, in this process or over a Unix socket."""
