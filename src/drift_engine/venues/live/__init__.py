"""What a venue holds now, followed over one connection that a whole process shares.

``shared_client`` is the connection; ``listed`` are all markets of a protocol; ``sub_accounts`` are an authority's, as
they open and close; ``accounts`` are those that were chosen, with all that their margin stands on.
"""
