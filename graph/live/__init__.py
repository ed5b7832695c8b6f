"""The live hub: topics read once per process, followed by any number of subscribers, resumed by cursor.

It knows neither GraphQL nor Earful: only topics on a bus, entries with offsets, and cursors.
"""
