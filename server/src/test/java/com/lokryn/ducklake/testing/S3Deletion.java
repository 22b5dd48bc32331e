package com.lokryn.ducklake.testing;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.transform.TransformerException;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** The body of a request to delete several objects, of which some may be taken out. */
final class S3Deletion {
  private final Document document;

  private S3Deletion(Document document) {
    this.document = document;
  }

  static S3Deletion parse(byte[] body) throws IOException {
    try {
      return new S3Deletion(
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new ByteArrayInputStream(body)));
    } catch (ParserConfigurationException | SAXException e) {
      throw new UnsupportedOperationException("the body is no XML: " + e.getMessage(), e);
    }
  }

  List<String> keys() {
    return objects().map(S3Deletion::key).toList();
  }

  void remove(String key) {
    objects()
        .filter(object -> key(object).equals(key))
        .toList()
        .forEach(object -> object.getParentNode().removeChild(object));
  }

  byte[] toBytes() throws IOException {
    try {
      var bytes = new ByteArrayOutputStream();
      TransformerFactory.newInstance()
          .newTransformer()
          .transform(new DOMSource(document), new StreamResult(bytes));
      return bytes.toByteArray();
    } catch (TransformerException e) {
      throw new IOException(e);
    }
  }

  private Stream<Element> objects() {
    return elements(document.getDocumentElement(), "Object").stream();
  }

  private static String key(Element object) {
    return elements(object, "Key").getFirst().getTextContent();
  }

  private static List<Element> elements(Element of, String name) {
    NodeList nodes = of.getElementsByTagName(name);
    var elements = new ArrayList<Element>();
    for (int i = 0; i < nodes.getLength(); i++) {
      elements.add((Element) nodes.item(i));
    }
    return elements;
  }
}
