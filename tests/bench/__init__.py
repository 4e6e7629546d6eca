"""What a run costs, measured on the lab's hosts. A benchmark and no test: `make bench` prints a table, nothing here can fail."""
