"""The processor: turns accepted items into processed ones, exactly once each."""
