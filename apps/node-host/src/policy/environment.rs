//! Which variables a program gets: from this process, and from who asks.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::Action;
use super::pattern::Glob;
use super::show::visible;

/// What is passed on where the owner says nothing.
pub(super) const USUAL_PASS: [&str; 10] =
    ["PATH", "HOME", "LANG", "LANGUAGE", "LC_*", "TERM", "TMPDIR", "USER", "LOGNAME", "SHELL"];

/// What a caller may set where the owner says nothing.
pub(super) const USUAL_SET: [&str; 4] = ["LANG", "LANGUAGE", "LC_*", "TERM"];

/// The most variables a caller may set.
const MOST: usize = 256;
/// The longest value in bytes: what Linux takes for one.
const LONGEST: usize = 128 << 10;

/// Which variables pass, and which may be set.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    pub(super) pass: Vec<Glob>,
    pub(super) set: Settable,
}

#[derive(Clone, Debug)]
pub(super) enum Settable {
    /// Whatever there is.
    Everything,
    /// Those names.
    These(Vec<Glob>),
}

impl Environment {
    /// Whether a variable of this process may be seen. Ours never are: tokens are among them.
    pub(super) fn passes(&self, name: &str) -> bool {
        !name.to_ascii_uppercase().starts_with("ARGUS_") && self.pass.iter().any(|glob| glob.fits(name))
    }

    /// What is to be done about these, where `mode` decides about names that no rule speaks of.
    ///
    /// The words are for who asks, and name the variable.
    pub(super) fn judge(&self, set: &BTreeMap<String, String>, mode: Action) -> Result<Action, String> {
        let Settable::These(names) = &self.set else { return Ok(Action::Allow) };
        let mut action = Action::Allow;
        for (name, value) in set {
            let exact = names.iter().any(|glob| glob.is_plain() && glob.fits(name));
            let dangerous = is_dangerous(name);
            if leads_to_files(name, value) {
                return Err(format!("the variable `{}` may not have `/` in it", visible(name)));
            }
            if exact || (!dangerous && names.iter().any(|glob| glob.fits(name))) {
                continue;
            }
            if dangerous {
                return Err(format!(
                    "the variable `{}` changes what programs do; the owner has to name it in `env.set`",
                    visible(name)
                ));
            }
            if mode == Action::Deny {
                return Err(format!("the variable `{}` is not in `env.set`", visible(name)));
            }
            action = action.max(mode);
        }
        Ok(action)
    }
}

/// Whether these can be variables at all.
pub(super) fn well_formed(set: &BTreeMap<String, String>) -> Result<(), String> {
    if set.len() > MOST {
        return Err(format!("`env` has more than {MOST} variables"));
    }
    for (name, value) in set {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err("`env` has a name that is empty or has `=` or NUL in it".into());
        }
        if value.contains('\0') || value.len() + name.len() > LONGEST {
            return Err(format!(
                "the variable `{}` has NUL in it, or is longer than {LONGEST} bytes",
                visible(name)
            ));
        }
    }
    Ok(())
}

/// The whole environment of a program.
pub(super) fn whole(
    passed: Vec<(OsString, OsString)>,
    set: &BTreeMap<String, String>,
) -> Vec<(OsString, OsString)> {
    let mut env: BTreeMap<OsString, OsString> = passed.into_iter().collect();
    env.extend(set.iter().map(|(name, value)| (name.into(), value.into())));
    env.into_iter().collect()
}

/// A language or terminal is a name; with `/` it is a file that is loaded.
fn leads_to_files(name: &str, value: &str) -> bool {
    let name_only = name == "TERM" || name.starts_with("LANG") || name.starts_with("LC_");
    name_only && value.contains('/')
}

/// Names by which a program can be made to do another thing than its arguments say.
const DANGEROUS: &str = "\
    _ BASHOPTS BROWSER CC CDPATH CLASSPATH CXX EDITOR ENV EXINIT FPATH GCONV_PATH GETCONF_DIR \
    GLIBC_TUNABLES GZIP HOME HOSTALIASES IFS INPUTRC JAVA_TOOL_OPTIONS KUBECONFIG LIBPATH LOCALDOMAIN \
    LOCPATH LOGNAME MAKEFILES MAKEFLAGS MAKE MANPAGER MFLAGS NLSPATH OLDPWD PAGER PATH POSIXLY_CORRECT \
    PROMPT_COMMAND PS1 PS2 PS4 PWD RES_OPTIONS RESOLV_HOST_CONF SHELL SHELLOPTS SHLIB_PATH \
    SYSTEM_VERSION_COMPAT TAR_OPTIONS TERMCAP TERMPATH TMP TEMP TMPDIR TZ TZDIR USER VIMINIT VISUAL \
    WGETRC XAUTHORITY XMODIFIERS ZDOTDIR ALL_PROXY HTTP_PROXY HTTPS_PROXY NO_PROXY FTP_PROXY DISPLAY \
    WAYLAND_DISPLAY";

/// The same, by how they begin.
const DANGEROUS_BEGIN: &str = "\
    ANSIBLE_ ARGUS_ AWS_ AZURE_ BASH_ BUN_ CARGO CFLAGS CLOUDSDK_ COMPOSE_ CONDA_ CURL_ CXXFLAGS DBUS_ \
    DENO_ DOCKER_ DOTNET_ DYLD_ ELECTRON_ EMACS ERL_ GCC_ GEM_ GIO_ GIT_ GO GOOGLE_ GST_ GTK_ HELM_ HG \
    JAVA_ JDK_ KRB5 LDFLAGS LD_ LESS LUA_ MALLOC_ MYSQL_ NODE_ NPM_ NIX_ OBJC_ OPENSSL_ PERL PG PHP PIP_ \
    PKG_CONFIG POETRY_ PSMODULEPATH PYTHON QT_ RSYNC_ RUBY RUST SSH_ SSL_ SUDO_ SVN_ SYSTEMD_ TCL \
    TERMINFO TERRAFORM TF_ UV_ VAULT_ VIM XDG_ YARN_ _JAVA_ _RLD __ R_ SWIFT_ DEVELOPER_DIR SDKROOT";

/// Whether a variable is dangerous, in capitals or not.
pub(super) fn is_dangerous(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let odd = !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    odd || words(DANGEROUS).any(|own| own == name)
        || words(DANGEROUS_BEGIN).any(|begin| name.starts_with(begin))
}

fn words(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split_ascii_whitespace()
}
