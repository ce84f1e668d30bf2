package wire

import "encoding/json"

// Raw is JSON that is passed on undecoded: a value of any type in a request, or
// a record in an answer that was encoded by hand.
type Raw = json.RawMessage
