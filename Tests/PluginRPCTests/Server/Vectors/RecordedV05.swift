// swift-format-ignore-file
// Data: lines are as long as they were on the wire.

extension RecordedExchange {
    /// Sent to, and answered by, a released InfraKit binary of v0.5, HTTP.
    ///
    /// Left out: methods that this generation lacks and others have, and replies in which this server says more.
    static let v05 = parse(
        "v05",
        #"""
        ## ok
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:17 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## string id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 78\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":"abc"}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:17 GMT\r
        Content-Length: 54\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":"abc"}

        [connection still open]

        ## null id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 77\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":null}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:18 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## big id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 92\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":9223372036854775807}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:18 GMT\r
        Content-Length: 68\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":9223372036854775807}

        [connection still open]

        ## object id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 81\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":{"a": 1}}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:18 GMT\r
        Content-Length: 56\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":{"a":1}}

        [connection still open]

        ## no id (notification)
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 67\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""}}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:19 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## params array
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 76\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":[{"ID":""}],"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:19 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## params null
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 69\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":null,"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:20 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## no params
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 55\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:20 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## params empty array
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 67\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":[],"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:21 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## params number
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 66\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":5,"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:21 GMT\r
        Content-Length: 138\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32600,"message":"json: cannot unmarshal number into Go value of type [1]interface {}","data":5},"id":1}

        [connection still open]

        ## no jsonrpc
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 51\r
        \r
        {"method":"Group.InspectGroups","params":{},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:21 GMT\r
        Content-Length: 153\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32600,"message":"jsonrpc must be 2.0","data":{"jsonrpc":"","method":"Group.InspectGroups","params":{},"id":1}},"id":1}

        [connection still open]

        ## jsonrpc 1.0
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 67\r
        \r
        {"jsonrpc":"1.0","method":"Group.InspectGroups","params":{},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:22 GMT\r
        Content-Length: 156\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32600,"message":"jsonrpc must be 2.0","data":{"jsonrpc":"1.0","method":"Group.InspectGroups","params":{},"id":1}},"id":1}

        [connection still open]

        ## unknown method
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 65\r
        \r
        {"jsonrpc":"2.0","method":"Group.Nope","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:22 GMT\r
        Content-Length: 111\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: can't find method \"Group.Nope\"","data":null},"id":1}

        [connection still open]

        ## unknown service
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 62\r
        \r
        {"jsonrpc":"2.0","method":"Foo.Bar","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:23 GMT\r
        Content-Length: 109\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: can't find service \"Foo.Bar\"","data":null},"id":1}

        [connection still open]

        ## no dot
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 58\r
        \r
        {"jsonrpc":"2.0","method":"Foo","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:23 GMT\r
        Content-Length: 121\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: service/method request ill-formed: \"Foo\"","data":null},"id":1}

        [connection still open]

        ## lowercase method
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.inspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:23 GMT\r
        Content-Length: 120\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: can't find method \"Group.inspectGroups\"","data":null},"id":1}

        [connection still open]

        ## lowercase service
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:24 GMT\r
        Content-Length: 121\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: can't find service \"group.InspectGroups\"","data":null},"id":1}

        [connection still open]

        ## wrong field type
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 73\r
        \r
        {"jsonrpc":"2.0","method":"Group.DescribeGroup","params":{"ID":5},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:24 GMT\r
        Content-Length: 145\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32600,"message":"json: cannot unmarshal object into Go value of type [1]interface {}","data":{"ID":5}},"id":1}

        [connection still open]

        ## key case
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 82\r
        \r
        {"jsonrpc":"2.0","method":"Group.DescribeGroup","params":{"id":"zz","X":1},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:25 GMT\r
        Content-Length: 105\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"Group 'zz' is not being watched","data":null},"id":1}

        [connection still open]

        ## malformed
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 17\r
        \r
        {"jsonrpc": oops}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:25 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## malformed after jsonrpc+id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 39\r
        \r
        {"jsonrpc":"2.0","id":1,"method": oops}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:25 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## empty body
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 0\r
        \r

        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:26 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## batch
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 76\r
        \r
        [{"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}]
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:26 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## trailing garbage
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 77\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}xxx
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:27 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## content-type text
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: text/plain\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 415 Unsupported Media Type\r
        Date: Sun, 22 Nov 2026 15:17:27 GMT\r
        Content-Length: 42\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        rpc: unrecognized Content-Type: text/plain
        [connection still open]

        ## content-type charset
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json; charset=utf-8\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:27 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## no content-type
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:28 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## content-type case
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: Application/JSON\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:28 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## GET /
        >>> GET / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 0\r
        \r

        <<< HTTP/1.1 405 Method Not Allowed\r
        Date: Sun, 22 Nov 2026 15:17:29 GMT\r
        Content-Length: 39\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        rpc: POST method required, received GET
        [connection still open]

        ## PUT /
        >>> PUT / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 405 Method Not Allowed\r
        Date: Sun, 22 Nov 2026 15:17:29 GMT\r
        Content-Length: 39\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        rpc: POST method required, received PUT
        [connection still open]

        ## POST /?x=1
        >>> POST /?x=1 HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:30 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## Expect
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Expect: 100-continue\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 100 Continue\r
        \r
        HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:31 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## HTTP/1.1 Connection: close
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Connection: close\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:31 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        Connection: close\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection closed by server]

        ## HTTP/1.0
        >>> POST / HTTP/1.0\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.0 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:31 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection closed by server]

        ## chunked
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Transfer-Encoding: chunked\r
        \r
        4a\r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}\r
        0\r
        \r

        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:31 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## pipelined x2
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:31 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}
        HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:31 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Groups":null},"id":1}

        [connection still open]

        ## no Host
        >>> POST / HTTP/1.1\r
        Content-Type: application/json\r
        Content-Length: 74\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"ID":""},"id":1}
        <<< HTTP/1.1 400 Bad Request: missing required Host header\r
        Content-Type: text/plain; charset=utf-8\r
        Connection: close\r
        \r
        400 Bad Request: missing required Host header
        [connection closed by server]

        ## GET /nope
        >>> GET /nope HTTP/1.1\r
        Host: h\r
        Content-Length: 0\r
        \r

        <<< HTTP/1.1 404 Not Found\r
        Content-Type: text/plain; charset=utf-8\r
        X-Content-Type-Options: nosniff\r
        Date: Sun, 22 Nov 2026 15:17:33 GMT\r
        Content-Length: 19\r
        \r
        404 page not found

        [connection still open]

        ## Manager.IsLeader
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 64\r
        \r
        {"jsonrpc":"2.0","method":"Manager.IsLeader","params":{},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:35 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Leader":true},"id":1}

        [connection still open]

        ## Metadata.List
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 71\r
        \r
        {"jsonrpc":"2.0","method":"Metadata.List","params":{"Path":"."},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:37 GMT\r
        Content-Length: 65\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Nodes":["configs","leader"]},"id":1}

        [connection still open]

        ## Updatable.List
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 72\r
        \r
        {"jsonrpc":"2.0","method":"Updatable.List","params":{"Path":"."},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:37 GMT\r
        Content-Length: 65\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Nodes":["configs","leader"]},"id":1}

        [connection still open]


        """#
    )
}
