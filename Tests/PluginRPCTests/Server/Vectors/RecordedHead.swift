// swift-format-ignore-file
// Data: lines are as long as they were on the wire.

extension RecordedExchange {
    /// Sent to, and answered by, a released InfraKit binary of the last commit (2018), HTTP.
    ///
    /// Left out: methods that this generation lacks and others have, and replies in which this server says more.
    static let head = parse(
        "head",
        #"""
        ## ok
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:39 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## string id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 100\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":"abc"}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:40 GMT\r
        Content-Length: 84\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":"abc"}

        [connection still open]

        ## null id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 99\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":null}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:40 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## big id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 114\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":9223372036854775807}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:40 GMT\r
        Content-Length: 98\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":9223372036854775807}

        [connection still open]

        ## object id
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 103\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":{"a": 1}}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:41 GMT\r
        Content-Length: 86\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":{"a":1}}

        [connection still open]

        ## no id (notification)
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 89\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""}}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:41 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## params array
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 98\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":[{"Name":"group/groups","ID":""}],"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:42 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## params number
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 66\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":5,"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:43 GMT\r
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
        Date: Sun, 22 Nov 2026 15:17:44 GMT\r
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
        Date: Sun, 22 Nov 2026 15:17:44 GMT\r
        Content-Length: 156\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32600,"message":"jsonrpc must be 2.0","data":{"jsonrpc":"1.0","method":"Group.InspectGroups","params":{},"id":1}},"id":1}

        [connection still open]

        ## unknown method
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 87\r
        \r
        {"jsonrpc":"2.0","method":"Group.Nope","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:44 GMT\r
        Content-Length: 111\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: can't find method \"Group.Nope\"","data":null},"id":1}

        [connection still open]

        ## unknown service
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 84\r
        \r
        {"jsonrpc":"2.0","method":"Foo.Bar","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:45 GMT\r
        Content-Length: 109\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: can't find service \"Foo.Bar\"","data":null},"id":1}

        [connection still open]

        ## no dot
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 80\r
        \r
        {"jsonrpc":"2.0","method":"Foo","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:45 GMT\r
        Content-Length: 121\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: service/method request ill-formed: \"Foo\"","data":null},"id":1}

        [connection still open]

        ## lowercase method
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.inspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:46 GMT\r
        Content-Length: 120\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: can't find method \"Group.inspectGroups\"","data":null},"id":1}

        [connection still open]

        ## lowercase service
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:46 GMT\r
        Content-Length: 121\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"rpc: can't find service \"group.InspectGroups\"","data":null},"id":1}

        [connection still open]

        ## wrong field type
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 95\r
        \r
        {"jsonrpc":"2.0","method":"Group.DescribeGroup","params":{"Name":"group/groups","ID":5},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:46 GMT\r
        Content-Length: 167\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32600,"message":"json: cannot unmarshal object into Go value of type [1]interface {}","data":{"Name":"group/groups","ID":5}},"id":1}

        [connection still open]

        ## key case
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 104\r
        \r
        {"jsonrpc":"2.0","method":"Group.DescribeGroup","params":{"name":"group/groups","id":"zz","X":1},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:47 GMT\r
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
        Date: Sun, 22 Nov 2026 15:17:47 GMT\r
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
        Date: Sun, 22 Nov 2026 15:17:48 GMT\r
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
        Date: Sun, 22 Nov 2026 15:17:48 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## batch
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 98\r
        \r
        [{"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}]
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:49 GMT\r
        Content-Length: 0\r
        \r

        [connection still open]

        ## trailing garbage
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 99\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}xxx
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:49 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## content-type text
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: text/plain\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 415 Unsupported Media Type\r
        Date: Sun, 22 Nov 2026 15:17:49 GMT\r
        Content-Length: 42\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        rpc: unrecognized Content-Type: text/plain
        [connection still open]

        ## content-type charset
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json; charset=utf-8\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:50 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## no content-type
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:50 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## content-type case
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: Application/JSON\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:51 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## GET /
        >>> GET / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 0\r
        \r

        <<< HTTP/1.1 405 Method Not Allowed\r
        Date: Sun, 22 Nov 2026 15:17:51 GMT\r
        Content-Length: 39\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        rpc: POST method required, received GET
        [connection still open]

        ## PUT /
        >>> PUT / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 405 Method Not Allowed\r
        Date: Sun, 22 Nov 2026 15:17:51 GMT\r
        Content-Length: 39\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        rpc: POST method required, received PUT
        [connection still open]

        ## POST /?x=1
        >>> POST /?x=1 HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:53 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## Expect
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Expect: 100-continue\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 100 Continue\r
        \r
        HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:53 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## HTTP/1.1 Connection: close
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Connection: close\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:53 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        Connection: close\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection closed by server]

        ## HTTP/1.0
        >>> POST / HTTP/1.0\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.0 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:53 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection closed by server]

        ## chunked
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Transfer-Encoding: chunked\r
        \r
        60\r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}\r
        0\r
        \r

        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:53 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## pipelined x2
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:54 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}
        HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:54 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## no Host
        >>> POST / HTTP/1.1\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
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
        Date: Sun, 22 Nov 2026 15:17:56 GMT\r
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
        Date: Sun, 22 Nov 2026 15:17:58 GMT\r
        Content-Length: 50\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Leader":true},"id":1}

        [connection still open]

        ## Manager.Specs
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 61\r
        \r
        {"jsonrpc":"2.0","method":"Manager.Specs","params":{},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:17:59 GMT\r
        Content-Length: 47\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Specs":[]},"id":1}

        [connection still open]

        ## InspectGroups Name=''
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 84\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:00 GMT\r
        Content-Length: 68\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"","ID":"","Groups":null},"id":1}

        [connection still open]

        ## InspectGroups Name='group'
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 89\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:01 GMT\r
        Content-Length: 73\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group","ID":"","Groups":null},"id":1}

        [connection still open]

        ## InspectGroups Name='group/'
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 90\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:01 GMT\r
        Content-Length: 74\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/","ID":"","Groups":null},"id":1}

        [connection still open]

        ## InspectGroups Name='group/groups'
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 96\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:01 GMT\r
        Content-Length: 80\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"group/groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## InspectGroups Name='groups'
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 90\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"groups","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:02 GMT\r
        Content-Length: 74\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"groups","ID":"","Groups":null},"id":1}

        [connection still open]

        ## InspectGroups Name='zzz'
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 87\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"zzz","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:02 GMT\r
        Content-Length: 71\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":"zzz","ID":"","Groups":null},"id":1}

        [connection still open]

        ## InspectGroups Name='group/zzz'
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 93\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":"group/zzz","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:03 GMT\r
        Content-Length: 104\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"not found: group/zzz (key=zzz)","data":null},"id":1}

        [connection still open]

        ## InspectGroups Name='.'
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 85\r
        \r
        {"jsonrpc":"2.0","method":"Group.InspectGroups","params":{"Name":".","ID":""},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:03 GMT\r
        Content-Length: 69\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","result":{"Name":".","ID":"","Groups":null},"id":1}

        [connection still open]

        ## Manager.Enforce
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 73\r
        \r
        {"jsonrpc":"2.0","method":"Manager.Enforce","params":{"Specs":[]},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:03 GMT\r
        Content-Length: 121\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"not implemented -- commit to individual plugins","data":null},"id":1}

        [connection still open]

        ## Manager.Terminate
        >>> POST / HTTP/1.1\r
        Host: h\r
        Content-Type: application/json\r
        Content-Length: 75\r
        \r
        {"jsonrpc":"2.0","method":"Manager.Terminate","params":{"Specs":[]},"id":1}
        <<< HTTP/1.1 200 OK\r
        Date: Sun, 22 Nov 2026 15:18:04 GMT\r
        Content-Length: 128\r
        Content-Type: text/plain; charset=utf-8\r
        \r
        {"jsonrpc":"2.0","error":{"code":-32000,"message":"not implemented -- destroy via direct calls to plugins","data":null},"id":1}

        [connection still open]


        """#
    )
}
