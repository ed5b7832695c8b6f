"""What Earful does, in its own words: use cases, rules, policies and events. No framework, no SQL, no clock."""
