"""From a request to an answer: what is asked, what may be answered, and the model that answers."""
