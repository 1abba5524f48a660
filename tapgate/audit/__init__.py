"""`gate audit`: packs over the states of many stacks, in parallel; one bad state harms no other."""
