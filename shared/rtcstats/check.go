package rtcstats

import (
	"fmt"
	"math"
	"reflect"
)

// maxTimestamp is the year 3000 in milliseconds: beyond it no clock is right.
const maxTimestamp = 32503680000000

// Check says whether the numbers can be what a browser counted: finite, and
// not negative (packetsLost alone is signed). It says nothing of two samples;
// see Rates for that.
func (s Sample) Check() error {
	if s.Timestamp <= 0 || s.Timestamp > maxTimestamp {
		return fmt.Errorf("rtcstats: timestamp %v is no time in milliseconds", s.Timestamp)
	}
	return checkValue("", reflect.ValueOf(s))
}

func checkValue(name string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return checkValue(name, v.Elem())
	case reflect.Struct:
		for f, fv := range v.Fields() {
			if err := checkValue(f.Tag.Get("json"), fv); err != nil {
				return err
			}
		}
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) || f < 0 && name != "echoReturnLoss,omitempty" && name != "echoReturnLossEnhancement,omitempty" {
			return fmt.Errorf("rtcstats: %s is %v", name, f)
		}
	case reflect.Int64:
		if v.Int() < 0 && name != "packetsLost" {
			return fmt.Errorf("rtcstats: %s is %d", name, v.Int())
		}
	case reflect.String:
		if v.Len() > 256 {
			return fmt.Errorf("rtcstats: %s has %d bytes", name, v.Len())
		}
	}
	return nil
}
