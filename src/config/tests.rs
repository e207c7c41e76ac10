use super::*;

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let (config, _) = Config::parse(text, Path::new("t.toml"), Path::new(""), variables);
    match config {
        Ok(loaded) => {
            assert_eq!(loaded.warnings, Problems::default());
            Ok(loaded.config)
        }
        Err(problems) => Err(lines(&problems)),
    }
}

fn lines(problems: &Problems) -> Vec<String> {
    problems.0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_shipped_file_equals_the_defaults_and_has_every_key() {
    let text = include_str!("../../portal.toml");
    let file = Path::new(DEFAULT_FILE);
    let (config, known) = Config::parse(text, file, Path::new(""), std::iter::empty());
    let defaults = Loaded { config: Config::default(), warnings: Problems::default() };
    assert_eq!(config, Ok(defaults));

    let document: toml::Table = text.parse().expect("TOML");
    for (key, _) in &known {
        let mut value = Some(&toml::Value::Table(document.clone())).cloned();
        for part in key.split('.') {
            value = value.and_then(|table| table.get(part).cloned());
        }
        assert!(value.is_some(), "portal.toml does not have {key}");
    }
    assert!(known.len() > 40, "{known:?}");
}

#[test]
fn an_empty_file_is_the_defaults() {
    assert_eq!(parse("", &[]), Ok(Config::default()));
}

#[test]
fn all_problems_are_told_at_once_with_line_and_remedy() {
    let text = r#"
port = 1
[portal]
port = 99999
ssl = "yes"
hostnam = "x"
error_format = "xml"
[media]
addresses = [{ announce = "1.2.3.4" }]
[sotre]
path = "x"
[demo]
room = "a b"
"#;
    let expected = [
        "t.toml:2: port: every key belongs to a table; put it below a line such as [portal]",
        "t.toml:10: [sotre]: there is no such table; did you mean `store`? Otherwise remove it",
        "t.toml:4: portal.port: 99999 is out of range; write a whole number from 0 to 65535",
        "t.toml:5: portal.ssl: found the string \"yes\"; write true or false",
        "t.toml:7: portal.error_format: \"xml\" is not one of them; \
         write \"auto\", \"document\" or \"owt\"",
        "t.toml:6: portal.hostnam: there is no such key; \
         did you mean `hostname`? Otherwise remove it",
        "t.toml:9: media.addresses: an address without `bind`; write a list such as \
         [{ bind = \"10.0.0.5\", announce = \"203.0.113.7\" }]",
        "t.toml:13: demo.room: \"a b\" cannot name a room; \
         write 1 to 128 characters of 0-9, A-Z, a-z, '-' and '_'",
    ];
    let mut problems = parse(text, &[]).expect_err("eight problems");
    let mut expected = expected.map(str::to_owned).to_vec();
    problems.sort();
    expected.sort();
    assert_eq!(problems, expected);
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let problems = parse("[portal]\nport = \n[media]\nworkers = 999\n", &[]).expect_err("broken");
    assert!(problems.iter().any(|problem| problem.starts_with("t.toml:2: this is not TOML")));
    assert!(problems.iter().any(|problem| problem.starts_with("t.toml:4: media.workers")));
}

#[test]
fn variables_override_the_file() {
    let text = "[portal]\nport = 1\nhostname = \"a\"\n";
    let variables = [
        ("PORTICO__PORTAL__PORT", "9000"),
        ("PORTICO__PORTAL__HOSTNAME", "12"),
        ("PORTICO__PORTAL__CORS", "[\"https://a.org\"]"),
        ("PORTICO__PORTAL__KEYSTOREPATH", "a.pfx"),
        ("PORTICO__ROOMS__VIEW__FRAMERATE", "30"),
        ("PORTICO_KEYSTORE_PASSWORD", "123"),
        ("PORTICO_ELSE", "is none of ours"),
    ];
    let config = parse(text, &variables).expect("valid");
    assert_eq!(config.portal.port, 9000);
    assert_eq!(config.portal.hostname, "12");
    assert_eq!(config.portal.cors, ["https://a.org"]);
    assert_eq!(config.portal.keystore_path.as_deref(), Some(Path::new("a.pfx")));
    assert_eq!(config.portal.keystore_password.reveal(), "123");
    assert_eq!(config.rooms.view.framerate, 30);
}

#[test]
fn a_bad_variable_is_told_by_its_name() {
    let variables = [("PORTICO__PORTAL__PORT", "many"), ("PORTICO__PORTAL__PROT", "1")];
    let problems = parse("", &variables).expect_err("two problems");
    assert_eq!(
        problems,
        [
            "PORTICO__PORTAL__PORT: portal.port: found the string \"many\"; \
             write a whole number from 0 to 65535",
            "PORTICO__PORTAL__PROT: no key has this variable; \
             did you mean PORTICO__PORTAL__PORT? Otherwise unset it",
        ]
    );
}

#[test]
fn tls_needs_an_existing_certificate() {
    let problems = parse("[portal]\nssl = true\n", &[]).expect_err("no certificate");
    assert_eq!(
        problems,
        ["t.toml:2: portal.ssl: ssl = true needs a certificate; \
          set keystorePath to a PFX or PEM file"]
    );
    let text = "[portal]\nssl = true\nkeystorePath = \"/no/such.pfx\"\n";
    assert_eq!(
        parse(text, &[]).expect_err("no file"),
        ["t.toml:3: portal.keystorePath: there is no file /no/such.pfx; \
          name an existing PFX or PEM file"]
    );
}

#[test]
fn a_password_is_never_shown() {
    let text = "[portal]\nkeystorePassword = \"hunter2\"\n";
    let config = parse(text, &[]).expect("valid");
    assert!(!format!("{config:?}").contains("hunter2"));
    let problems = parse("[portal]\nkeystorePassword = 4711\n", &[]).expect_err("a number");
    assert!(!problems[0].contains("4711"), "{problems:?}");
}

#[test]
fn keys_of_services_belong_together_and_are_never_shown() {
    let text = "[engines.livekit]\nurl = \"wss://l\"\napi_secret = \"hunter2\"\n\
                [engines.agora]\napp_id = \"x\"\napp_certificate = \"hunter3\"\n\
                [engines.hundredms]\nrooms = [\"a\"]\n";
    let problems = parse(text, &[]).expect_err("three problems");
    assert_eq!(
        problems,
        [
            "t.toml:8: engines.hundredms.rooms: \"a\" is not a room here, \"=\", and its id \
             there; write a list of rooms such as \"lounge=64f1c0ffee64f1c0ffee64f1\"",
            "t.toml:2: engines.livekit.url: url, api_key and api_secret belong together; set all \
             of them, or none",
            "t.toml:5: engines.agora.app_id: Agora's id and certificate have 32 hexadecimal \
             digits; copy both from the project's page",
        ]
    );
    let variables = [
        ("PORTICO__ENGINES__LIVEKIT__API_KEY", "key"),
        ("PORTICO__ENGINES__HUNDREDMS__ROOMS", "[\"a=b\"]"),
        ("PORTICO__ENGINES__AGORA__APP_ID", "0123456789abcdef0123456789abcdef"),
        ("PORTICO__ENGINES__AGORA__APP_CERTIFICATE", "fedcba9876543210fedcba9876543210"),
    ];
    let text = "[engines.livekit]\nurl = \"wss://l\"\napi_secret = \"hunter2\"\n";
    let config = parse(text, &variables).expect("valid");
    assert_eq!(config.engines.livekit.api_secret.reveal(), "hunter2");
    assert_eq!(config.engines.hundredms.rooms, [("a".to_owned(), "b".to_owned())]);
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("fedcba"), "{shown}");
}

#[test]
fn a_named_file_must_exist_but_the_default_one_need_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("portal.toml");
    let problems = Config::load(Some(&missing), std::iter::empty()).expect_err("missing");
    assert!(problems.to_string().contains("cannot be read"), "{problems}");
}

#[test]
fn relative_paths_start_at_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("my.toml");
    std::fs::write(&file, "[store]\npath = \"kept\"\n").expect("written");
    let config = Config::load(Some(&file), std::iter::empty()).expect("valid");
    assert_eq!(config.config.store.path, directory.path().join("kept"));
}

#[test]
fn tokens_name_the_host_that_clients_reach() {
    let host = |text: &str| {
        let portal = parse(text, &[]).expect("valid").portal;
        portal.public_host(portal.address())
    };
    assert_eq!(host(""), "127.0.0.1:8080");
    assert_eq!(host("[portal]\nhostname = \"meet.example.org\"\n"), "meet.example.org:8080");
    assert_eq!(host("[portal]\nip_address = \"::1\"\n"), "[::1]:8080");
    let everywhere = host("[portal]\nip_address = \"\"\n");
    assert!(!everywhere.starts_with("0.0.0.0"), "{everywhere}");
}

#[test]
fn addresses_workers_and_ports_are_checked() {
    let text = "[media]\nudp_port = 65535\nworkers = 2\n\
                addresses = [{ bind = \"10.0.0.5\", announce = \"203.0.113.7\" }]\n";
    let problems = parse(text, &[]).expect_err("too few ports");
    assert_eq!(
        problems,
        ["t.toml:2: media.udp_port: 2 workers need as many ports from here; \
          choose a lower port or fewer workers"]
    );
    let config = parse(&text.replace("65535", "40000"), &[]).expect("valid");
    let announced = Some("203.0.113.7".parse().expect("an address"));
    assert_eq!(config.media.addresses[0].announce, announced);
    for bad in ["\"0.0.0.0\"", "\"x\"", "5"] {
        let text = format!("[media]\naddresses = [{{ bind = {bad} }}]\n");
        assert!(parse(&text, &[]).is_err(), "{bad}");
    }
    assert!(parse("[media]\naddresses = [{ bind = \"::1\", x = 1 }]\n", &[]).is_err());
}

#[test]
fn misspelt_log_levels_are_refused() {
    for good in ["info", "off", "info,portico::room=debug", "portico=trace"] {
        assert!(parse(&format!("[log]\nlevel = \"{good}\"\n"), &[]).is_ok(), "{good}");
    }
    for bad in ["inof", "", "portico=loud"] {
        assert!(parse(&format!("[log]\nlevel = \"{bad}\"\n"), &[]).is_err(), "{bad}");
    }
}

/// The keys of OWT's portal, with the values that it ships.
const OWT_FILE: &str = r#"
[portal]
keystorePath = "./cert/certificate.pfx"
hostname = ""
ip_address = ""
port = 8080
ssl = true
force_tls_v12 = false
reconnection_ticket_lifetime = 600
reconnection_timeout = 60
cors = ["*"]

[cluster]
name = "owt-cluster"
join_retry = 60
report_load_interval = 1000
max_load = 0.85

[capacity]
isps = []
regions = []

[rabbit]
host = "localhost"
port = 5672

[mongo]
dataBaseURL = "localhost/owtdb"
"#;

#[test]
fn the_file_of_an_owt_portal_is_taken_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("cert")).expect("made");
    std::fs::write(directory.path().join("cert/certificate.pfx"), "").expect("written");
    let read = |text: &str| {
        Config::parse(text, Path::new("t.toml"), directory.path(), std::iter::empty()).0
    };
    let loaded = read(OWT_FILE).expect("valid");
    let expected = [
        ("8", "portal.force_tls_v12", "nothing older than TLS 1.2 is spoken in any case"),
        ("20", "capacity.isps", "a token leads to this server, whatever its `preference`"),
        ("21", "capacity.regions", "a token leads to this server, whatever its `preference`"),
        ("15", "cluster.join_retry", "the server is one process and joins no cluster"),
        ("17", "cluster.max_load", "`max_connections` of [portal] bounds the load"),
        ("14", "cluster.name", "the server is one process and joins no cluster"),
        ("16", "cluster.report_load_interval", "the server is one process and joins no cluster"),
        ("28", "mongo.dataBaseURL", "`path` of [store] says where rooms are kept"),
        ("24", "rabbit.host", "no message queue is needed"),
        ("25", "rabbit.port", "no message queue is needed"),
    ];
    let mut expected: Vec<_> = expected
        .iter()
        .map(|(line, key, why)| {
            format!("t.toml:{line}: {key}: this key is OWT's and has no effect; remove it: {why}")
        })
        .collect();
    expected.sort();
    let mut warnings = lines(&loaded.warnings);
    warnings.sort();
    assert_eq!(warnings, expected);
    let portal = loaded.config.portal;
    assert!(portal.ssl && portal.ip_address.is_unspecified());
    assert_eq!(portal.keystore_path, Some(directory.path().join("./cert/certificate.pfx")));

    // Keys that OWT only knows, or has commented out.
    let rest = "[portal]\nping_interval = 10\nping_timeout = 60\nnetworkInterface = \"eth1\"\n\
                enable_grpc = true\nstream_engine_name = \"s\"\ncustomized_controller = \"c\"\n\
                [cluster]\ngrpc_host = \"localhost:10080\"\nnetwork_max_scale = 1000\n";
    let loaded = read(rest).expect("valid");
    assert_eq!(loaded.config.portal.ping_interval, std::time::Duration::from_secs(10));
    let warned: Vec<_> = loaded.warnings.0.iter().map(|warning| warning.key.as_str()).collect();
    let mut expected = [
        "portal.customized_controller",
        "portal.enable_grpc",
        "portal.networkInterface",
        "portal.stream_engine_name",
        "cluster.grpc_host",
        "cluster.network_max_scale",
    ];
    expected.sort_unstable_by_key(|key| key.starts_with("cluster"));
    assert_eq!(warned, expected);
}

#[test]
fn what_is_misspelt_in_owts_tables_is_refused_all_the_same() {
    let problems = parse("[cluster]\nnmae = 1\n[raabbit]\nport = 1\n", &[]).expect_err("two");
    assert_eq!(
        problems,
        [
            "t.toml:3: [raabbit]: there is no such table; remove it; there are portal, media, \
             store, rooms, rooms.view, mixing, signals, protoo, live, engines, engines.livekit, \
             engines.hundredms, engines.agora, demo, rest, log",
            "t.toml:2: cluster.nmae: there is no such key; did you mean `name`? \
             Otherwise remove it",
        ]
    );
}

#[test]
fn a_name_or_address_may_stand_in_a_variable() {
    let text = "[portal]\nhostname = \"$HOST\"\nip_address = \"$ADDRESS\"\n";
    let variables = [("HOST", "meet.example.org"), ("ADDRESS", "10.0.0.5")];
    let portal = parse(text, &variables).expect("valid").portal;
    assert_eq!(portal.hostname, "meet.example.org");
    assert_eq!(portal.ip_address.to_string(), "10.0.0.5");
    let problems = parse(text, &[("HOST", "a b")]).expect_err("two");
    assert_eq!(
        problems,
        [
            "t.toml:3: portal.ip_address: there is no variable ADDRESS; \
             write an IP address, or \"\" for all; or $NAME for a variable's value",
            "t.toml:2: portal.hostname: \"a b\" is not a host name; \
             write a host name, or \"\"; or $NAME for a variable's value",
        ]
    );
}

#[test]
fn tokens_lead_to_what_stands_before_the_server() {
    let portal = |text: &str, variables: &[(&str, &str)]| {
        let portal = parse(text, variables).expect("valid").portal;
        (portal.public_host(portal.address()), portal.public_secure())
    };
    let said = "[portal]\nhostname = \"x\"\nvia_host = \"https://meet.example.org/\"\n";
    assert_eq!(portal(said, &[]), ("meet.example.org".into(), true));
    let variables = [("owt_via_host", "http://[::1]:8443")];
    assert_eq!(portal("", &variables), ("[::1]:8443".into(), false));
    assert_eq!(portal("[portal]\nvia_host = \"\"\n", &[]), ("127.0.0.1:8080".into(), false));
    for bad in ["meet.org", "wss://a", "https://", "https://a/b", "https://a:0", "https://a:b"] {
        let text = format!("[portal]\nvia_host = \"{bad}\"\n");
        assert!(parse(&text, &[]).is_err(), "{bad}");
    }
}
