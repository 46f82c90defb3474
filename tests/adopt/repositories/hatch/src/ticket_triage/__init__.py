"""Who answers a ticket."""
