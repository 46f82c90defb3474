class LogOfColumns:
    def transform(self, rows):
        return rows
