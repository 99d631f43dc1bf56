"""The promises of the product as experiments on the real stack: name, figure, aim, met or short."""
