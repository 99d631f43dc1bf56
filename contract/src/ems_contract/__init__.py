"""Every message that crosses a service boundary, and every Redis name.

The one package that every service imports and that imports none of them. Producers build these types, so a
field that is not declared here cannot be sent; consumers decode them and ignore fields they do not know, so a
newer producer may add one.
"""

PROTOCOL_VERSION = 1
