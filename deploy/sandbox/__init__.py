"""The sandbox: a stand-in for Meta's Graph API (WhatsApp) and for a vendor's webhook receiver.

Does: answers the Graph routes the product calls, validates as Meta does, posts signed webhooks, keeps what it
      was sent, and plays faults on demand (`/_sandbox/faults`).
Owns: nothing that outlives the process; all state is in memory.
Stands alone: imports nothing of the product, so that both sides of the wire are never wrong in the same way.
"""
