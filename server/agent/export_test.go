package agent

import "time"

// PacketDuration is how long an Opus packet plays.
func PacketDuration(packet []byte) time.Duration { return duration(samples(packet)) }
