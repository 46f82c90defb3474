"""The step after a house price model: the first number of `dense_2` becomes `price`, in whole dollars."""

import pandas as pd


def wallaroo_json(data: pd.DataFrame):
    prices = [round(row[0] * 1000) for row in data["dense_2"]]
    return pd.DataFrame({"price": prices}).to_dict(orient="records")
