package wire_test

import (
	"fmt"

	"parley/shared/wire"
)

func ExampleEncode() {
	frame, err := wire.Encode(wire.Activity{Kind: wire.ActivityMute})
	fmt.Println(string(frame), err)
	_, err = wire.Encode(wire.Activity{Kind: "yawn"})
	fmt.Println(err)
	// Output:
	// {"type":"activity","kind":"mute"} <nil>
	// wire: out_of_range kind: "yawn" is not of the set
}

func ExampleDecodeServer() {
	m, err := wire.DecodeServer([]byte(`{"type":"ended","cause":"admin_ended","message":"Maintenance."}`))
	if ended, ok := m.(wire.Ended); ok {
		fmt.Println(ended.Cause, ended.Cause.CloseCode(), ended.Message, err)
	}
	// Output:
	// admin_ended 4003 Maintenance. <nil>
}
