package session

// MaxWork is a bound that a test stands at.
const MaxWork = maxWork
