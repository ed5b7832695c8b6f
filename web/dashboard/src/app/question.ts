import { graphql } from '../gql';

/** Who is there: the first thing that is asked. */
export const SESSION = graphql(`
  query Session {
    viewer {
      user {
        ...Person
      }
      workspaces {
        id
        slug
        name
        viewerRole
      }
    }
  }
`);

/** What is known of the reader on every page. */
export const PERSON = graphql(`
  fragment Person on User {
    id
    name
    email
    emailVerified
    totpEnabled
    avatarUrl
  }
`);
