// swift-format-ignore-file
// Data: lines are as long as they were on the wire.

extension RecordedExchange {
    /// Sent to, and answered by, a released InfraKit binary of the first generation (November 2016), JSON-RPC stream.
    ///
    /// Left out: methods that this generation lacks and others have, and replies in which this server says more.
    static let seed = parse(
        "seed",
        #"""
        ## id 0
        >>> {"method":"Group.InspectGroups","params":[{"ID":""}],"id":0}

        <<< {"id":0,"result":{"Groups":null},"error":null}

        [connection still open]

        ## id string
        >>> {"method":"Group.InspectGroups","params":[{"ID":""}],"id":"abc"}

        <<< {"id":"abc","result":{"Groups":null},"error":null}

        [connection still open]

        ## id null
        >>> {"method":"Group.InspectGroups","params":[{"ID":""}],"id":null}

        <<< {"id":null,"result":{"Groups":null},"error":null}

        [connection still open]

        ## id float / big
        >>> {"method":"Group.InspectGroups","params":[{"ID":""}],"id":9223372036854775807}

        <<< {"id":9223372036854775807,"result":{"Groups":null},"error":null}

        [connection still open]

        ## id object
        >>> {"method":"Group.InspectGroups","params":[{"ID":""}],"id":{"a":1}}

        <<< {"id":{"a":1},"result":{"Groups":null},"error":null}

        [connection still open]

        ## no id
        >>> {"method":"Group.InspectGroups","params":[{"ID":""}]}

        <<< {"id":null,"result":{"Groups":null},"error":null}

        [connection still open]

        ## no params
        >>> {"method":"Group.InspectGroups","id":1}

        <<< {"id":1,"result":null,"error":"jsonrpc: request body missing params"}

        [connection still open]

        ## params null
        >>> {"method":"Group.InspectGroups","params":null,"id":1}

        <<< {"id":1,"result":null,"error":"jsonrpc: request body missing params"}

        [connection still open]

        ## params object
        >>> {"method":"Group.InspectGroups","params":{"ID":""},"id":1}

        <<< {"id":1,"result":null,"error":"json: cannot unmarshal object into Go value of type [1]interface {}"}

        [connection still open]

        ## params empty array
        >>> {"method":"Group.InspectGroups","params":[],"id":1}

        <<< {"id":1,"result":{"Groups":null},"error":null}

        [connection still open]

        ## params [null]
        >>> {"method":"Group.DescribeGroup","params":[null],"id":1}

        <<< {"id":1,"result":null,"error":"Group '' is not being watched"}

        [connection still open]

        ## params 2 elems
        >>> {"method":"Group.DescribeGroup","params":[{"ID":"a"},{"ID":"b"}],"id":1}

        <<< {"id":1,"result":null,"error":"Group 'a' is not being watched"}

        [connection still open]

        ## unknown method
        >>> {"method":"Group.Nope","params":[{}],"id":1}

        <<< {"id":1,"result":null,"error":"rpc: can't find method Group.Nope"}

        [connection still open]

        ## unknown service
        >>> {"method":"Foo.Bar","params":[{}],"id":2}

        <<< {"id":2,"result":null,"error":"rpc: can't find service Foo.Bar"}

        [connection still open]

        ## no dot
        >>> {"method":"Foo","params":[{}],"id":2}

        <<< {"id":2,"result":null,"error":"rpc: service/method request ill-formed: Foo"}

        [connection still open]

        ## lowercase
        >>> {"method":"group.inspectGroups","params":[{}],"id":2}

        <<< {"id":2,"result":null,"error":"rpc: can't find service group.inspectGroups"}

        [connection still open]

        ## wrong field type
        >>> {"method":"Group.DescribeGroup","params":[{"ID":5}],"id":3}

        <<< {"id":3,"result":null,"error":"json: cannot unmarshal number into Go struct field DescribeGroupRequest.ID of type group.ID"}

        [connection still open]

        ## then valid on same connection
        >>> {"method":"Group.DescribeGroup","params":[{"ID":5}],"id":3}
        {"method":"Group.InspectGroups","params":[{}],"id":4}

        <<< {"id":3,"result":null,"error":"json: cannot unmarshal number into Go struct field DescribeGroupRequest.ID of type group.ID"}
        {"id":4,"result":{"Groups":null},"error":null}

        [connection still open]

        ## unknown fields, key case
        >>> {"METHOD":"Group.DescribeGroup","Params":[{"id":"zz","x":1}],"Id":3}

        <<< {"id":3,"result":null,"error":"Group 'zz' is not being watched"}

        [connection still open]

        ## malformed
        >>> {"method": oops}

        <<< 
        [connection closed by server]

        ## partial + half close
        >>> {"method":"Group.Insp
        <<< 
        [connection closed by server]

        ## batch
        >>> [{"method":"Group.InspectGroups","params":[{}],"id":1}]

        <<< 
        [connection closed by server]

        ## jsonrpc 2.0 envelope
        >>> {"jsonrpc":"2.0","method":"Group.InspectGroups","params":[{}],"id":7}

        <<< {"id":7,"result":{"Groups":null},"error":null}

        [connection still open]

        ## pipelined 3, no newline between
        >>> {"method":"Group.InspectGroups","params":[{"ID":""}],"id":1}{"method":"Group.InspectGroups","params":[{"ID":""}],"id":2}{"method":"Group.DescribeGroup","params":[{"ID":"q"}],"id":3}
        <<< {"id":3,"result":null,"error":"Group 'q' is not being watched"}
        {"id":1,"result":{"Groups":null},"error":null}
        {"id":2,"result":{"Groups":null},"error":null}

        [connection still open]

        ## whitespace prefix
        >>>   

        {"method":"Group.InspectGroups","params":[{"ID":""}],"id":5}

        <<< {"id":5,"result":{"Groups":null},"error":null}

        [connection still open]

        ## commit and half close immediately
        >>> {"method": "Group.WatchGroup", "params": [{"Spec": {"ID": "hc", "Properties": {"Allocation": {"Size": 1}, "Instance": {"Plugin": "instance-file", "Properties": {"Note": "v1"}}, "Flavor": {"Plugin": "flavor-vanilla", "Properties": {"Init": ["echo hi"], "Tags": {"tier": "web"}}}}}}], "id": 9}

        <<< {"id":9,"result":{"OK":true},"error":null}

        [connection closed by server]


        """#
    )
}
