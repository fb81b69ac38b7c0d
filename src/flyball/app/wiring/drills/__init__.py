"""The drivers of drills: on a service of their own, or on a `flyball up` that allows them; and of a disaster."""
