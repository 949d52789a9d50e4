"""How fast it is, as ratios within one run: the daily run against a bare INSERT, subscribing against pgbench."""
