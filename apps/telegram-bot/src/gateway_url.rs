//! Finds the gateway's HTTP address in the several ways it may be told.

use url::Url;

/// Where this program runs, which decides what `localhost` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a container: the gateway is another one, by the name `gateway`.
    Container,
    /// On a machine, beside the gateway.
    Machine,
}

/// An `http(s)` base. The error says what is wrong, without the text, which may hold a token.
pub(crate) fn from_http(text: &str) -> Result<Url, String> {
    let url = parse(text)?;
    match url.scheme() {
        "http" | "https" => Ok(base(url)),
        other => Err(format!("begins with `{other}:`, use http:// or https://")),
    }
}

/// The base that belongs to a WebSocket address: `wss://host/x/ws?token=…` is `https://host/x/`.
pub(crate) fn from_ws(text: &str) -> Result<Url, String> {
    let mut url = parse(text)?;
    let scheme = match url.scheme() {
        "ws" => "http",
        "wss" => "https",
        other => return Err(format!("begins with `{other}:`, use ws:// or wss://")),
    };
    url.set_scheme(scheme).map_err(|()| "has no host".to_owned())?;
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/ws").unwrap_or(path).to_owned();
    url.set_path(&path);
    Ok(base(url))
}

/// `HOST`: a bare host (port 8080), `host:port`, or an address of either kind. In a container this machine's own names
/// mean the gateway's container.
pub(crate) fn from_host(text: &str, place: Place) -> Result<Url, String> {
    let text = text.trim();
    let mut url = if text.starts_with("ws://") || text.starts_with("wss://") {
        from_ws(text)?
    } else if text.contains("://") {
        from_http(text)?
    } else {
        let mut url = from_http(&format!("http://{text}"))?;
        if url.port().is_none() {
            url.set_port(Some(8080)).map_err(|()| "has no host".to_owned())?;
        }
        url
    };
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]" | "[::]"));
    let name = match place {
        Place::Container if here => "gateway",
        Place::Machine if matches!(url.host_str(), Some("0.0.0.0" | "[::]")) => "127.0.0.1",
        _ => return Ok(url),
    };
    url.set_host(Some(name)).map_err(|error| error.to_string())?;
    Ok(url)
}

/// Where the gateway is when nobody says.
pub(crate) fn default(place: Place) -> Url {
    let text = match place {
        Place::Container => "http://gateway:8080/",
        Place::Machine => "http://127.0.0.1:8080/",
    };
    Url::parse(text).expect("a literal address is well formed")
}

fn parse(text: &str) -> Result<Url, String> {
    let text = text.trim().trim_matches(['"', '\'']);
    let url = Url::parse(text).map_err(|error| format!("is no address: {error}"))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("has no host".to_owned());
    }
    Ok(url)
}

/// Without query, fragment and credentials, and with a path that more can be joined to.
fn base(mut url: Url) -> Url {
    url.set_query(None);
    url.set_fragment(None);
    // Only an address without a host refuses these, and it was refused before.
    let _ = (url.set_username(""), url.set_password(None));
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(url: Result<Url, String>) -> Result<String, String> {
        url.map(String::from)
    }

    #[test]
    fn the_http_side_is_found_from_the_websocket_address() {
        for (given, base) in [
            ("ws://127.0.0.1:8080/ws", "http://127.0.0.1:8080/"),
            ("\"wss://a.example/argus/ws?token=t&session=s#x\"", "https://a.example/argus/"),
            ("ws://gateway:9", "http://gateway:9/"),
            (" ws://h/ws/ ", "http://h/"),
        ] {
            assert_eq!(text(from_ws(given)), Ok(base.to_owned()), "{given}");
        }
        assert_eq!(from_ws("http://h"), Err("begins with `http:`, use ws:// or wss://".to_owned()));
        assert!(from_ws("nothing").is_err());
    }

    #[test]
    fn an_http_address_may_have_a_path_of_its_own() {
        assert_eq!(text(from_http("https://h/argus?x=1")), Ok("https://h/argus/".to_owned()));
        assert_eq!(from_http("ftp://h"), Err("begins with `ftp:`, use http:// or https://".to_owned()));
    }

    #[test]
    fn a_bare_host_means_port_8080_and_in_a_container_localhost_means_the_gateway() {
        for (given, machine, container) in [
            ("box", "http://box:8080/", "http://box:8080/"),
            ("box:81", "http://box:81/", "http://box:81/"),
            ("localhost", "http://localhost:8080/", "http://gateway:8080/"),
            ("127.0.0.1:81", "http://127.0.0.1:81/", "http://gateway:81/"),
            ("0.0.0.0", "http://127.0.0.1:8080/", "http://gateway:8080/"),
            ("wss://h/ws", "https://h/", "https://h/"),
            ("http://localhost:1", "http://localhost:1/", "http://gateway:1/"),
        ] {
            assert_eq!(text(from_host(given, Place::Machine)), Ok(machine.to_owned()), "{given}");
            assert_eq!(text(from_host(given, Place::Container)), Ok(container.to_owned()), "{given}");
        }
    }
}
