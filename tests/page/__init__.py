"""The report as a person sees it: its page in a real browser, its metrics as Prometheus reads them."""
