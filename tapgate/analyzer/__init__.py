"""Talks to policy packs over Pulumi's Analyzer protocol, without an engine between.

Used where the engine gives too little: `pulumi policy analyze` tells findings only, not which policies passed
or did not apply, and starts the pack again for each stack. Previews and deployments always run the engine.
"""
