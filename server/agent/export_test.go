package agent

import "time"

// PacketDuration is how long an Opus packet plays.
func PacketDuration(packet []byte) time.Duration { return duration(samples(packet)) }

// EndSilence is the pause that ends a turn.
const EndSilence = endSilence
