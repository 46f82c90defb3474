"""The faces that Hatch sees. They translate, and hold no rule of Wallaroo's."""
