"""What the bytes of a file say before it is decoded: containers, declared lengths, loudspeaker layouts."""
