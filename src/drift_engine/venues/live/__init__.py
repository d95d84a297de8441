"""What a venue holds now, followed over the connection that a whole process shares.

``shared_client`` is that connection; ``listed`` are all markets of a protocol. ``sub_accounts`` are all that an
authority has, as they open and close; ``accounts`` are all or one of them with everything their margin stands on.
"""
