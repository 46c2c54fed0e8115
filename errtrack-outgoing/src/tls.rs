//! TLS, where it is built in.

#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))]
mod built_in {
    use crate::OutgoingError;
    use std::sync::{Arc, OnceLock};
    use tokio::net::TcpStream;
    use tokio_rustls::{
        TlsConnector,
        client::TlsStream,
        rustls::{
            ClientConfig, RootCertStore,
            crypto::CryptoProvider,
            pki_types::{CertificateDer, ServerName},
        },
    };

    /// What it takes to make a connection safe; the certificates of the system are read when the first one is made.
    #[derive(Default)]
    pub(crate) struct Tls(OnceLock<Option<TlsConnector>>);

    impl Tls {
        pub(crate) fn system() -> Self {
            Self::default()
        }

        /// That trusts these alone.
        pub(crate) fn trusting(certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates.into_iter().map(CertificateDer::from));
            Self(OnceLock::from(connector(roots)))
        }

        pub(crate) async fn secure(
            &self,
            stream: TcpStream,
            host: &str,
        ) -> Result<TlsStream<TcpStream>, OutgoingError> {
            let name = ServerName::try_from(host.to_owned()).map_err(|_| OutgoingError::InvalidUrl)?;
            let connector = self.0.get_or_init(|| connector(of_system())).as_ref();
            let connector = connector.ok_or(OutgoingError::WithoutTls)?;
            connector.connect(name, stream).await.map_err(OutgoingError::NotConnected)
        }
    }

    /// The certificates that the system trusts; those that cannot be read are left out.
    fn of_system() -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    }

    fn connector(roots: RootCertStore) -> Option<TlsConnector> {
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().ok()?;
        Some(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }

    /// Never the default of the process: that is the host's to choose.
    pub(crate) fn provider() -> Arc<CryptoProvider> {
        #[cfg(feature = "tls-aws-lc-rs")]
        use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
        #[cfg(not(feature = "tls-aws-lc-rs"))]
        use tokio_rustls::rustls::crypto::ring::default_provider;
        Arc::new(default_provider())
    }
}

#[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc-rs")))]
mod built_in {
    use crate::OutgoingError;
    use tokio::net::TcpStream;

    pub(crate) struct Tls;

    impl Tls {
        pub(crate) const fn system() -> Self {
            Self
        }

        pub(crate) fn trusting(_: impl IntoIterator<Item = Vec<u8>>) -> Self {
            Self
        }

        #[expect(clippy::unused_async, reason = "as where it is built in")]
        pub(crate) async fn secure(&self, _: TcpStream, _: &str) -> Result<TcpStream, OutgoingError> {
            Err(OutgoingError::WithoutTls)
        }
    }
}

pub(crate) use built_in::*;
