"""Python steps: one function that Wallaroo calls between the models of a pipeline."""
