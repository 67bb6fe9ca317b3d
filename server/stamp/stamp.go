// Package stamp owns the kernel's word of when a packet of UDP came, which nothing that a
// busy process does makes later. It reads no packets.
package stamp

// Space holds the control message with a packet's time of arrival: 32 bytes.
const Space = 64
