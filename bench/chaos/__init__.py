"""Jobs while everything that does them is killed: what is asked, what must be found in the end, and who kills."""
