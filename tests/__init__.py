"""The tests: unit, operations, fleet, and the lab that they run on."""
